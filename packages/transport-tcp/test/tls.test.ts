import { connect } from "node:net";
import type { CloseInfo, Connection } from "@tidewire/transport";
import { type TcpListenerOptions, type TcpOptions, tcp, tcpListener } from "@tidewire/transport-tcp";
import { afterAll, describe, expect, it } from "vitest";
import { type Certificate, certificate, daysFromNow } from "./certificates.ts";

const authority = await certificate("Test authority", { authority: true });
const stranger = await certificate("Unknown authority", { authority: true });
const valid = await certificate("server", { issuer: authority });
const client = await certificate("meter-17", { issuer: authority });
const listeners: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(listeners.map((listener) => listener.close())));

async function listen(options: TcpListenerOptions["tls"]): Promise<{ port: number; accepted: Promise<Connection> }> {
  let accept: (connection: Connection) => void = () => {};
  const accepted = new Promise<Connection>((resolve) => {
    accept = resolve;
  });
  const listener = await tcpListener({ host: "127.0.0.1", tls: options ?? {} })((connection) => accept(connection));
  listeners.push(listener);
  return { port: Number(new URL(listener.addresses[0] ?? "").port), accepted };
}

function dial(port: number, tls: TcpOptions["tls"], host = "127.0.0.1"): Promise<Connection> {
  return tcp({ host, port, tls: tls ?? {} })();
}

function closed(connection: Connection): Promise<CloseInfo> {
  return new Promise((resolve) => connection.start({ onData() {}, onDrain() {}, onClose: resolve }));
}

describe("the server's certificate", () => {
  it("is accepted when it is valid", async () => {
    const { port, accepted } = await listen(valid);
    const connection = await dial(port, { ca: authority.cert });
    expect(connection.info).toMatchObject({ transport: "tls", secure: true, protocol: "mqtt" });
    expect((await accepted).info).toMatchObject({ transport: "tls", secure: true, protocol: "mqtt" });
    connection.abort();
  });

  const cases: readonly [code: string, () => Promise<Certificate>][] = [
    [
      "tls-expired",
      () => certificate("old", { issuer: authority, validFrom: daysFromNow(-9), validTo: daysFromNow(-2) }),
    ],
    [
      "tls-expired",
      () => certificate("new", { issuer: authority, validFrom: daysFromNow(2), validTo: daysFromNow(9) }),
    ],
    ["tls-wrong-host", () => certificate("other", { issuer: authority, host: "elsewhere.example" })],
    ["tls-untrusted", () => certificate("strange", { issuer: stranger })],
    ["tls-untrusted", () => certificate("self-signed")],
  ];
  it.each(cases)("fails the dial with the code %s", async (code, make) => {
    const { port } = await listen(await make());
    await expect(dial(port, { ca: authority.cert })).rejects.toMatchObject({ name: "TransportError", code });
  });

  it("is not asked for on a port without TLS", async () => {
    const listener = await tcpListener({ host: "127.0.0.1" })((connection) => {
      connection.start({ onData: () => connection.close(), onDrain() {}, onClose() {} });
    });
    listeners.push(listener);
    const port = Number(new URL(listener.addresses[0] ?? "").port);
    await expect(dial(port, { ca: authority.cert })).rejects.toMatchObject({ name: "TransportError" });
  });

  it("can be replaced while connections live", async () => {
    const listener = await tcpListener({ host: "127.0.0.1", tls: valid })((connection) => {
      connection.start({ onData: (chunk) => connection.send([chunk]), onDrain() {}, onClose() {} });
    });
    listeners.push(listener);
    const port = Number(new URL(listener.addresses[0] ?? "").port);
    const before = await dial(port, { ca: authority.cert });
    listener.reloadCertificate(await certificate("strange", { issuer: stranger }));
    await expect(dial(port, { ca: authority.cert })).rejects.toMatchObject({ code: "tls-untrusted" });
    (await dial(port, { ca: stranger.cert })).abort();
    const echoed = await new Promise<Uint8Array>((resolve) => {
      before.start({ onData: resolve, onDrain() {}, onClose() {} });
      before.send([Uint8Array.of(7)]);
    });
    expect([...echoed]).toEqual([7]);
    before.abort();
  });
});

describe("a client certificate that the server demands", () => {
  const demanding = { ...valid, ca: authority.cert, requestCert: true };

  it("is accepted, and its name told", async () => {
    const { port, accepted } = await listen(demanding);
    const connection = await dial(port, { ca: authority.cert, ...client });
    expect((await accepted).info.clientCertificateName).toBe("meter-17");
    connection.abort();
  });

  it("fails with its code when it is missing", async () => {
    const { port } = await listen(demanding);
    // In TLS 1.3 the client is connected before the server has seen its certificate: the answer comes as the end of the
    // connection.
    const failure = await closed(await dial(port, { ca: authority.cert }));
    expect(failure).toMatchObject({ clean: false, error: { name: "TransportError", code: "tls-client-certificate" } });
  });

  it("fails the dial when it is missing in TLS 1.2, where the alert is the same for every failure", async () => {
    const { port } = await listen(demanding);
    await expect(dial(port, { ca: authority.cert, maxVersion: "TLSv1.2" })).rejects.toMatchObject({
      code: "tls-failed",
    });
  });

  it("does not come through when it is from somebody else", async () => {
    const { port } = await listen(demanding);
    const foreign = await certificate("meter-17", { issuer: stranger });
    const failure = await dial(port, { ca: authority.cert, ...foreign }).then(closed, (error: unknown) => ({ error }));
    expect(failure).not.toMatchObject({ initiator: "local" });
  });
});

it("chooses the certificate by the name that the client asks for (SNI)", async () => {
  const { createSecureContext } = await import("node:tls");
  const named = await certificate("named", { issuer: authority, host: "broker.example" });
  const { port } = await listen({
    ...valid,
    SNICallback: (name, done) => done(null, createSecureContext(name === "broker.example" ? named : valid)),
  });
  const connection = await dial(port, { ca: authority.cert, servername: "broker.example" });
  expect(connection.info.secure).toBe(true);
  connection.abort();
});

it("refuses a protocol that is not MQTT (ALPN)", async () => {
  const { port } = await listen(valid);
  await expect(dial(port, { ca: authority.cert, ALPNProtocols: ["http/1.1"] })).rejects.toMatchObject({
    code: "tls-failed",
  });
});

describe("certificate and key that do not belong together", () => {
  // Half a renewal: the new chain is there, the new key is not. (Mosquitto #1877, #3568; a key of another kind is not even
  // noticed by OpenSSL, and every handshake fails from then on.)
  it.each(["EC", "RSA"] as const)("are refused at reload (%s), and the old ones stay in use", async (kind) => {
    const own = await certificate("server", { issuer: authority });
    const renewed = await certificate("server", { kind });
    const listener = await tcpListener({ host: "127.0.0.1", tls: own })((connection) => connection.abort());
    listeners.push(listener);
    const port = Number(new URL(listener.addresses[0] ?? "").port);
    expect(() => listener.reloadCertificate({ cert: renewed.cert, key: own.key })).toThrow(
      expect.objectContaining({ name: "TransportError", code: "tls-credentials" }),
    );
    // Without a key of its own the renewed certificate would be used with the old key.
    expect(() => listener.reloadCertificate({ cert: renewed.cert })).toThrow(
      expect.objectContaining({ code: "tls-credentials" }),
    );
    expect(() => listener.reloadCertificate({ cert: "no certificate", key: own.key })).toThrow(
      expect.objectContaining({ code: "tls-credentials" }),
    );
    (await dial(port, { ca: authority.cert })).abort();
    listener.reloadCertificate(renewed);
    (await dial(port, { ca: renewed.cert })).abort();
  });

  it("are refused at the start", async () => {
    const other = await certificate("server", { kind: "RSA" });
    const tls = { cert: other.cert, key: valid.key };
    await expect(listen(tls)).rejects.toMatchObject({ code: "tls-credentials" });
    await expect(listen({ cert: valid.cert })).rejects.toMatchObject({ code: "tls-credentials" });
  });
});

it("keeps on demanding client certificates after a reload that names only the new certificate", async () => {
  const listener = await tcpListener({
    host: "127.0.0.1",
    tls: { ...valid, ca: authority.cert, requestCert: true },
  })((connection) => accepted.push(connection));
  const accepted: Connection[] = [];
  listeners.push(listener);
  const port = Number(new URL(listener.addresses[0] ?? "").port);
  const { cert, key } = await certificate("server", { issuer: authority });
  listener.reloadCertificate({ cert, key });
  const connection = await dial(port, { ca: authority.cert, ...client });
  connection.send([Uint8Array.of(1)]);
  await expect.poll(() => accepted[0]?.info.clientCertificateName).toBe("meter-17");
  expect(await closed(await dial(port, { ca: authority.cert }))).toMatchObject({
    error: { code: "tls-client-certificate" },
  });
  connection.abort();
});

it("accepts a list of protocols with one that is spoken here (ALPN)", async () => {
  const { port } = await listen(valid);
  for (const protocols of [["mqtt"], ["h2", "mqtt"], ["mqtt", "http/1.1"], ["x-amzn-mqtt-ca", "h2", "mqtt"]]) {
    const connection = await dial(port, { ca: authority.cert, ALPNProtocols: protocols });
    expect(connection.info.protocol).toBe("mqtt");
    connection.abort();
  }
});

// Twenty probes of a load balancer were twenty lines in the log, with no address.
it("tells a load balancer's probe from a handshake that failed, with the address", async () => {
  const refused: string[] = [];
  const listener = await tcpListener({
    host: "127.0.0.1",
    tls: valid,
    onRefused: ({ code }, address) => refused.push(`${code} ${address?.replace(/:\d+$/, "")}`),
  })(() => {});
  listeners.push(listener);
  const port = Number(new URL(listener.addresses[0] ?? "").port);
  for (const leave of ["end", "resetAndDestroy"] as const) {
    const probe = connect(port, "127.0.0.1");
    await new Promise((resolve) => {
      probe.once("connect", resolve);
    });
    probe[leave]();
  }
  await expect.poll(() => refused).toEqual(["probe 127.0.0.1", "probe 127.0.0.1"]);
  connect(port, "127.0.0.1")
    .on("error", () => {})
    .end("GET / HTTP/1.1\r\n\r\n");
  await expect.poll(() => refused[2]).toBe("tls-failed 127.0.0.1");
  const half = connect(port, "127.0.0.1").on("error", () => {});
  half.end(Uint8Array.of(0x16, 3, 1));
  await expect.poll(() => refused[3]).toBe("closed 127.0.0.1");
});
