import { describe, expect, test } from "bun:test";
import { errorTable, reasonOf } from "../../src/protocol/error-table.ts";
import { errorCodes, errorNameOf, IggyError, isErrorName, toIggyError } from "../../src/protocol/errors.ts";
import { snakeNameOf } from "../../src/protocol/snake-name.ts";

const names = Object.keys(errorCodes).filter(isErrorName);

describe("error table", () => {
  test("it has the 223 errors of 0.8 and the 17 of 0.9, each code once", () => {
    expect(names).toHaveLength(240);
    expect(new Set(names.map((name) => errorCodes[name])).size).toBe(240);
  });

  test("HTTP statuses are the ones that the HTTP server uses", () => {
    expect([...new Set(names.map((name) => errorTable[name].httpStatus))].toSorted()).toEqual([400, 401, 403, 404]);
  });

  test.each([
    ["InvalidCommand", 3, "invalid_command", 400],
    ["Unauthenticated", 40, "unauthenticated", 401],
    ["Unauthorized", 41, "unauthorized", 403],
    ["CannotCloseWebSocketConnection", 21, "cannot_close_web_socket_connection", 400],
    ["InvalidUtf8", 81, "invalid_utf8", 400],
    ["StreamIdNotFound", 1009, "stream_id_not_found", 404],
    ["IoError", 13000, "io_error", 400],
    ["InvalidApiUrl", 37, "invalid_api_url", 400],
    ["InvalidPersonalAccessTokenExpiry", 56, "invalid_personal_access_token_expiry", 400],
    ["TransientNotCommitted", 57, "transient_not_committed", 400],
    ["TransientNotAccepted", 58, "transient_not_accepted", 400],
    ["RequestAlreadyApplied", 59, "request_already_applied", 400],
    ["TooManyStreams", 1020, "too_many_streams", 400],
    ["TooManyTopics", 2021, "too_many_topics", 400],
    ["PartitionIdSpaceExhausted", 3013, "partition_id_space_exhausted", 400],
    ["TooManyConsumerOffsets", 3024, "too_many_consumer_offsets", 400],
    ["UnsupportedOptionKey", 4041, "unsupported_option_key", 400],
    ["InvalidOptionValue", 4042, "invalid_option_value", 400],
    ["OptionsBlockTooLarge", 4043, "options_block_too_large", 400],
    ["SegmentSizeMismatchAtOpen", 4102, "segment_size_mismatch_at_open", 400],
    ["ConsumerGroupPartitionNotOwned", 5009, "consumer_group_partition_not_owned", 400],
    ["AlreadyAuthenticated", 14000, "already_authenticated", 400],
    ["InvalidSession", 14001, "invalid_session", 400],
    ["IncompatibleProtocolVersion", 14003, "incompatible_protocol_version", 400],
  ] as const)("%s is %d, %s, HTTP %d", (name, code, snakeName, httpStatus) => {
    const error = new IggyError(name);
    expect([error.code, snakeNameOf(name), errorTable[name].httpStatus]).toEqual([code, snakeName, httpStatus]);
    expect(errorNameOf(code)).toBe(name);
  });

  test("an unknown code has no name and becomes the general error", () => {
    expect(errorNameOf(17)).toBeUndefined();
    expect(IggyError.ofCode(17).errorName).toBe("Error");
    expect(IggyError.ofCode(1009).errorName).toBe("StreamIdNotFound");
  });

  test("an inherited property is no error name", () => {
    expect(isErrorName("toString")).toBeFalse();
  });
});

describe("IggyError", () => {
  test("its message is its name in words, with what it is about", () => {
    expect(new IggyError("StreamIdNotFound").message).toBe("Stream id not found");
    expect(new IggyError("TopicIdNotFound", [7, "orders"]).message).toBe("Topic id not found: 7, orders");
  });

  test("parameters fill the text in order", () => {
    expect(reasonOf(new IggyError("TopicIdNotFound", [7, "orders"]))).toBe(
      "Topic with ID: 7 for stream with ID: orders was not found.",
    );
  });

  test("missing parameters become empty", () => {
    expect(reasonOf(new IggyError("StreamIdNotFound"))).toBe("Stream with ID:  was not found.");
  });

  test("a parameter is not filled in itself", () => {
    expect(reasonOf(new IggyError("StreamNameNotFound", ["{0}$&"]))).toBe("Stream with name: {0}$& was not found.");
  });

  test("every text can be filled", () => {
    for (const name of names) {
      expect(reasonOf(new IggyError(name, ["a", "b", "c"]))).not.toMatch(/\{\d\}/);
    }
  });

  test("the cause is kept", () => {
    const cause = new TypeError("disk");
    expect(new IggyError("IoError", ["x"], { cause }).cause).toBe(cause);
  });
});

describe("toIggyError", () => {
  test("an IggyError stays the same object", () => {
    const error = new IggyError("Unauthorized");
    expect(toIggyError(error)).toBe(error);
  });

  test("anything else becomes the general error with its cause", () => {
    for (const thrown of [new RangeError("x"), "text", undefined, null]) {
      const error = toIggyError(thrown);
      expect([error.errorName, error.code, error.cause]).toEqual(["Error", 1, thrown]);
    }
  });
});
