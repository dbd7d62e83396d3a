import { u32 } from "./fields.ts";
import { section } from "./node.ts";

export const limits = section(
  {
    partitions: u32({ default: 250_000, doc: "Most partitions of all streams; 0 = as many as can exist, 1048576." }),
    partitionsPerStream: u32({ default: 150_000, doc: "Most partitions of all topics of a stream; 0 = no limit." }),
    partitionsPerTopic: u32({
      default: 100_000,
      doc: "Most partitions of a topic; 0 = as many as can exist, 1000000.",
    }),
    consumerGroupsPerTopic: u32({ default: 1000, doc: "Most consumer groups of a topic; 0 = no limit." }),
    consumerOffsetsPerPartition: u32({
      default: 4096,
      doc: "Most single consumers whose offset a partition keeps, each in a file, and as many groups; 0 = no limit.",
    }),
    largeSendsPerConnection: u32({
      default: 8,
      doc: "Most sends above 8 MiB of one connection that are under way; the next one waits; 0 = no limit.",
    }),
    permissionsPerUser: u32({
      default: 10_000,
      doc: "Most streams and topics that the permissions of one user name; 0 = no limit.",
    }),
    waitingPolls: u32({
      default: 100_000,
      doc: "Most partitions for which polls wait, of all clients; beyond it polls are answered without waiting; 0 = no limit.",
    }),
    waitingPollsPerUser: u32({ default: 50_000, doc: "The same for one user; 0 = no limit." }),
    subscriptions: u32({
      default: 100_000,
      doc: "Most open subscriptions of all clients, over HTTP included; beyond it they are refused; 0 = no limit.",
    }),
    subscriptionsPerUser: u32({ default: 50_000, doc: "The same for one user; 0 = no limit." }),
  },
  "Limits of what users make, checked when it is made: what is there already stays",
);
