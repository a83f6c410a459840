export { Access } from "./access.ts";
export { MAXIMUM_FIELD_LENGTH } from "./limits.ts";
export { hashPassword } from "./password-hash.ts";
export { nameProblem, parseUsers, withUser } from "./users-file.ts";
