export { type Job, type Steps, Work, type WorkNeeds } from "./work.ts";
