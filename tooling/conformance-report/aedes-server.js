// Serves one of the two Aedes versions on a free loopback port: node aedes-server.js aedes|aedes-next
import { createServer } from "node:net";

const [name = "aedes"] = process.argv.slice(2);
const { Aedes } = await import(name);
const broker = await Aedes.createBroker();
const server = createServer(broker.handle);
server.listen(0, "127.0.0.1", () => console.log(`listening mqtt://127.0.0.1:${server.address().port}`));
