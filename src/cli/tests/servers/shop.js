// The shop that src/driver/tests/drafts/shop.openapi.yaml describes.
const http = require("node:http");
const { randomUUID } = require("node:crypto");
const orders = new Map();
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function answer(request, body) {
  const url = new URL(request.url, "http://shop");
  const path = url.pathname.replace(/^\/v2/, "");
  if (path === "/health") return [200];
  if (path === "/login") return [/^user=[0-9a-f]{8}&remember=(true|false)$|^remember=(true|false)&user=[0-9a-f]{8}$/.test(body) ? 204 : 401];
  if (request.headers.authorization !== "Bearer let-me-in") return [401];
  if (/^\/customers\/\d+\/avatar$/.test(path)) return [request.method === "PUT" && request.headers["content-type"] === "image/png" ? 200 : 400];
  if (/^\/reports\/\d{4}$/.test(path)) return [200];
  if (!["red", "blue"].includes(request.headers["x-tenant"])) return [400];
  if (path === "/orders" && request.method === "GET") {
    return ["open", "sent", "returned"].includes(url.searchParams.get("status")) ? [200, []] : [400];
  }
  if (path === "/orders" && request.method === "POST") {
    let order;
    try {
      order = JSON.parse(body);
    } catch {
      return [400];
    }
    const fits = order.email.includes("@") && order.lines.length >= 2 && order.lines.every((line) => line.number >= 1 && line.number < 10 && line.article.length <= 12);
    if (!fits || order.placed || order.total.currency !== "EUR") return [400];
    order.id = randomUUID();
    if (orders.size > 50) orders.clear();
    orders.set(order.id, order);
    return [201, order];
  }
  const id = path.split("/")[2] ?? "";
  if (!uuid.test(id) || !orders.has(id)) return [404];
  if (request.method === "GET") return [200, orders.get(id)];
  if (request.method === "DELETE") return orders.delete(id), [204];
  try {
    return [JSON.parse(body).note === "as {{is}}" ? 200 : 422];
  } catch {
    return [422];
  }
}

http
  .createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      const [status, what] = answer(request, body);
      response.statusCode = status;
      response.setHeader("content-type", "application/json");
      response.end(status === 204 ? undefined : JSON.stringify(what ?? {}));
    });
  })
  .listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
