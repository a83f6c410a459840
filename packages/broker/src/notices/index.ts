export { type NoticeKind, type NoticeSubject, Notices, type NoticesNeeds } from "./notices.ts";
