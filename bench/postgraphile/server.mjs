// PostGraphile over the read models of a scratch database, which DATABASE_URL names.
// Says `ready ADDRESS` on standard output, and ends with its standard input.

import { createServer } from "node:http";
import { grafserv } from "postgraphile/grafserv/node";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { postgraphile } from "postgraphile";

// Node's client knows no `prefer`, and the server is on this machine.
const database = new URL(process.env.DATABASE_URL);
database.searchParams.delete("sslmode");
const preset = {
    extends: [PostGraphileAmberPreset],
    pgServices: [makePgService({ connectionString: database.href, schemas: ["public"], poolConfig: { max: 24 } })],
    // As it is in production: no explanations, no development pages.
    grafast: { explain: false },
    grafserv: { graphiql: false, watch: false },
};
const server = createServer();
server.on("error", (error) => {
    console.error(error);
    process.exit(1);
});
const handler = postgraphile(preset).createServ(grafserv);
await handler.addTo(server);
server.listen(0, "127.0.0.1", () => console.log(`ready 127.0.0.1:${server.address().port}`));
process.stdin.resume().on("end", () => process.exit(0));
