// The default secret of XXH3, 192 bytes, as 24 little-endian words. It is written to the start of the memory by code
// and not by a data segment: the memory is imported and belongs to somebody else, who reserves those bytes for it.
// Several instances may write it over one another; they write the same bytes.

/** Where the secret lies: inside the 4,096 bytes at the start of every memory that are reserved for the kernel. */
export const secretPosition: usize = 1024;

export function writeSecret(): void {
  put(0, 0xbe4ba423396cfeb8);
  put(1, 0x1cad21f72c81017c);
  put(2, 0xdb979083e96dd4de);
  put(3, 0x1f67b3b7a4a44072);
  put(4, 0x78e5c0cc4ee679cb);
  put(5, 0x2172ffcc7dd05a82);
  put(6, 0x8e2443f7744608b8);
  put(7, 0x4c263a81e69035e0);
  put(8, 0xcb00c391bb52283c);
  put(9, 0xa32e531b8b65d088);
  put(10, 0x4ef90da297486471);
  put(11, 0xd8acdea946ef1938);
  put(12, 0x3f349ce33f76faa8);
  put(13, 0x1d4f0bc7c7bbdcf9);
  put(14, 0x3159b4cd4be0518a);
  put(15, 0x647378d9c97e9fc8);
  put(16, 0xc3ebd33483acc5ea);
  put(17, 0xeb6313faffa081c5);
  put(18, 0x49daf0b751dd0d17);
  put(19, 0x9e68d429265516d3);
  put(20, 0xfca1477d58be162b);
  put(21, 0xce31d07ad1b8f88f);
  put(22, 0x280416958f3acb45);
  put(23, 0x7e404bbbcafbd7af);
}

// @ts-ignore: decorator
@inline
function put(word: usize, value: u64): void {
  store<u64>(secretPosition + (word << 3), value);
}
