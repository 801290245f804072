// A Node server with two request kinds: one that keeps nothing, one that keeps what it was sent.
const http = require("node:http");
const kept = [];
let counter = 0;
const server = http.createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    counter += 1;
    if (request.url === "/metrics") {
      response.end(`process_resident_memory_bytes ${process.memoryUsage().rss}\nkept_items ${kept.length}\n`);
      return;
    }
    if (request.url === "/keep") kept.push({ body, when: counter, copy: Buffer.from(body).toString("hex") });
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ counter }));
  });
});
server.listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
