export { type ClusterBackend, type ClusterHost, local } from "./cluster.ts";
