// A server that is spoken to in lines, as Redis and memcached are: SET and GET, and an error for anything else.
const net = require("node:net");
const store = new Map();
const answer = (line) => {
  const [command, key, value] = line.split(" ");
  if (command === "SET") {
    store.set(key, value);
    return "+OK";
  }
  if (command === "GET") return `:${(store.get(key) ?? "").length}`;
  return "-ERR unknown command";
};
const server = net.createServer((socket) => {
  let rest = "";
  socket.on("data", (bytes) => {
    const lines = (rest + bytes).split("\r\n");
    rest = lines.pop();
    for (const line of lines) socket.write(`${answer(line)}\r\n`);
  });
  socket.on("error", () => socket.destroy());
});
server.listen(Number(process.env.PORT), "127.0.0.1");
