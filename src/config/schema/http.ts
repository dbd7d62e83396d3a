import { bool, duration, expiry, oneOf, size, text, textList, u32 } from "./fields.ts";
import { section, tables } from "./node.ts";
import { certificateFiles } from "./tls.ts";

const cors = section({
  enabled: bool({ default: true, doc: "Answer cross-origin requests." }),
  allowedMethods: textList({
    default: ["GET", "POST", "PUT", "DELETE"],
    doc: "Of GET, POST, PUT, DELETE, HEAD, OPTIONS, CONNECT, PATCH, TRACE.",
  }),
  allowedOrigins: textList({
    default: [],
    doc: 'Origins of pages that may use the API; "*" first allows any, an empty list none.',
  }),
  allowedHeaders: textList({ default: ["content-type", "authorization"], doc: "Request headers allowed." }),
  exposedHeaders: textList({ default: [""], doc: "Response headers shown to scripts; blank entries are ignored." }),
  allowCredentials: bool({ default: false, doc: "Allow cookies and authorization headers of the browser." }),
  allowPrivateNetwork: bool({ default: false, doc: "Allow requests from public sites to private networks." }),
});

const jwt = section({
  algorithm: oneOf({
    words: ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512"],
    default: "HS256",
    doc: "Signature of issued tokens.",
  }),
  issuer: text({ default: "iggy.apache.org", doc: "Issuer written into tokens." }),
  audience: text({ default: "iggy.apache.org", doc: "Audience written into tokens." }),
  validIssuers: textList({ default: ["iggy.apache.org"], doc: "Issuers accepted." }),
  validAudiences: textList({ default: ["iggy.apache.org"], doc: "Audiences accepted." }),
  accessTokenExpiry: expiry({ default: "1 h", doc: "Lifetime of a token; none = practically for ever." }),
  refreshExpiry: expiry({
    default: "7 days",
    doc: "How long after a login its token may be exchanged for new ones; none = for ever.",
  }),
  clockSkewMicros: duration({ default: "5 s", doc: "Leeway when the expiry is checked, whole seconds." }),
  notBeforeMicros: duration({ default: "0 s", doc: "Added to the issue time for the nbf claim." }),
  encodingSecret: text({
    default: "",
    secret: true,
    doc: "Secret that signs; RS: private key, as PEM or the path of its file. Both empty: a random secret per start.",
  }),
  decodingSecret: text({
    default: "",
    secret: true,
    doc: "Secret that verifies; RS: public key or certificate, likewise. Empty: what belongs to the encoding secret.",
  }),
  useBase64Secret: bool({ default: false, doc: "The secrets are base64 text, of the secret or of the PEM." }),
  trustedIssuers: tables(
    {
      issuer: text({ required: true, doc: "The iss claim." }),
      jwksUrl: text({ required: true, doc: "Where the issuer's keys are fetched." }),
      audience: text({ required: true, doc: "The aud claim." }),
      userId: u32({ default: 0, doc: "The user on whose behalf requests act; 0 is refused." }),
    },
    {
      doc: "Other issuers whose tokens are accepted.",
      default: [
        {
          issuer: "test-issuer",
          jwksUrl: "http://127.0.0.1:8081/.well-known/jwks.json",
          audience: "iggy.apache.org",
          userId: 0,
        },
      ],
    },
  ),
});

export const http = section(
  {
    enabled: bool({ default: true, doc: "Serve the HTTP API (on shard 0)." }),
    address: text({ default: "127.0.0.1:3000", doc: "Listener, host:port. Port 0 lets the system choose." }),
    maxRequestSizeBytes: size({ default: "2 MB", doc: "Largest request body." }),
    allowedHosts: textList({
      default: [],
      doc: "Host names by which browsers may reach the broker. Empty: any, but on a loopback listener only those of this machine.",
    }),
    webUi: bool({ default: true, doc: "Serve the console at /ui, to users who sign in." }),
    webUiReadOnly: bool({ default: false, doc: "The console changes nothing, whoever uses it." }),
    webUiLabel: text({ default: "", doc: 'Shown in the console, for instance "production".' }),
    webUiOrigin: text({
      default: "",
      doc: "Origin at which browsers reach the console, where a proxy changes the host or ends TLS. Empty: the host that they name.",
    }),
    cors,
    jwt,
    metrics: section({
      enabled: bool({ default: true, doc: "Prometheus metrics." }),
      endpoint: text({ default: "/metrics", doc: "Path; any other than /metrics requires a token." }),
      requireToken: bool({ default: false, doc: "Ask for a token at /metrics too." }),
      topicsMax: u32({ default: 1000, doc: "Topics with metrics of their own, the first by their numbers; 0 = none." }),
    }),
    tls: section({ enabled: bool({ default: false, doc: "Serve HTTPS." }), ...certificateFiles }),
  },
  "HTTP API",
);
