/** Bounds of what the page keeps; whoever publishes decides how much comes. */
export const limits = {
  /** Cards; more would not be read on one page. */
  devices: 50,
  /** Charts of one device. */
  metricsPerDevice: 24,
  /** Of a metric: five minutes at one a second, and what a chart draws at once. */
  pointsPerMetric: 300,
  /** Of a metric: no chart has a scale for more, and no page the room for its digits. */
  metricValue: 1e15,
  /** Names that are counted where there is no room for what they name. */
  countedNames: 1000,
  /** Charts made in one frame; a page that makes a thousand at once stands still. */
  newChartsPerFrame: 40,
  alerts: 100,
  /** Alerts that wait for the next frame. */
  alertsPerFrame: 1000,
  /** Browser notifications for what came in one frame. */
  notificationsPerFrame: 3,
  /** Bytes of a payload that the page reads, as a figure or as an alert; a longer one is no JSON. */
  readPayload: 32_768,
  /** Characters of a name or topic that are shown. */
  shownName: 120,
  shownTopic: 300,
  /** Rows in the message log. */
  logRows: 200,
  /** Characters of a payload that are shown. */
  shownPayload: 2000,
  /** Subscriptions made with the form. */
  subscriptions: 20,
} as const;
