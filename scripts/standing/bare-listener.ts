// What the generators cost by themselves: listeners that hold who connects and do nothing else, beside the broker. A guess is
// answered as a wrong one, without looking at it. One line of JSON with the ports.
const invalidCredentials = new Uint8Array([42, 0, 0, 0, 0, 0, 0, 0]);

const tcp = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    data: (socket) => {
      socket.write(invalidCredentials);
    },
  },
});
const websocket = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 255,
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("", { status: 426 })),
  websocket: { idleTimeout: 0, message: (socket, message) => void socket.send(message) },
});
const http = Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 255, fetch: () => new Response("pong") });
console.log(JSON.stringify({ tcp: tcp.port, websocket: websocket.port, http: http.port }));
