export { type BrokerMetrics, MetricsRecorder } from "./metrics.ts";
