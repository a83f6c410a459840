// A service worker with one task: phones show notifications only through one. It caches nothing.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(showPage());
});

async function showPage() {
  const [page] = await self.clients.matchAll({ type: "window" });
  await (page === undefined ? self.clients.openWindow("./") : page.focus());
}
