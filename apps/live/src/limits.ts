/** Bounds of what the page keeps; whoever publishes decides how much comes. */
export const limits = {
  /** Cards; more would not be read on one page. */
  devices: 50,
  /** Charts of one device. */
  metricsPerDevice: 24,
  /** Of a metric: five minutes at one a second, and what a chart draws at once. */
  pointsPerMetric: 300,
  alerts: 100,
  /** Rows in the message log. */
  logRows: 200,
  /** Characters of a payload that are shown. */
  shownPayload: 2000,
  /** Subscriptions made with the form. */
  subscriptions: 20,
} as const;
