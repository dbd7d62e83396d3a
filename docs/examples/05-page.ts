// In a page: shows what comes, and goes on after a reload where it was. `05-page.html` says where the broker is.
import { connect, json } from "@whippet/client";

interface Order {
  readonly orderId: string;
  readonly amount: number;
}

/** Where this page's own server gives whoever is logged in there a short-lived token of the broker. */
async function fetchToken(): Promise<string> {
  return (await fetch("/token")).text();
}

const page = await connect(document.body.dataset.broker ?? "wss://broker.example.com", {
  credentials: async () => ({ token: await fetchToken() }), // asked again before every login
});
const reader = page.topic("shop", "orders", json<Order>()).reader({
  from: JSON.parse(localStorage.getItem("at") ?? '"new"'),
});
for await (const { value } of reader) {
  const line = document.createElement("li");
  line.textContent = `${value.orderId}: ${value.amount}`;
  document.querySelector("#orders")?.append(line);
  localStorage.setItem("at", JSON.stringify(reader.position()));
}
