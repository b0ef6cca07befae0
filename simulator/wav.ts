const RATE = 8_000;
const LENGTH_MS = 400;
const HEADER_BYTES = 44;

/** A short tone that every player can play: PCM, 16 bit, mono, 8 kHz, 400 ms. */
export function makeTone(hertz: number): Buffer {
  const samples = (RATE * LENGTH_MS) / 1_000;
  const wav = Buffer.alloc(HEADER_BYTES + samples * 2);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(RATE, 24);
  wav.writeUInt32LE(RATE * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36);
  wav.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i++) {
    // Fades in and out, so that it does not click.
    const loudness = Math.min(1, i / 200, (samples - 1 - i) / 200);
    const value = Math.sin((2 * Math.PI * hertz * i) / RATE) * loudness * 12_000;
    wav.writeInt16LE(Math.round(value), HEADER_BYTES + i * 2);
  }
  return wav;
}

/** The part of a body that a Range header asks for; null when there is no (readable) range, "none" when it lies outside. */
export function readRange(
  header: string | undefined,
  length: number,
): { start: number; end: number } | "none" | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return null;
  const [, first = "", last = ""] = match;
  if (first === "") {
    const count = Math.min(Number(last), length);
    return count === 0 ? "none" : { start: length - count, end: length - 1 };
  }
  const start = Number(first);
  const end = last === "" ? length - 1 : Math.min(Number(last), length - 1);
  if (start >= length) return "none";
  return end < start ? null : { start, end };
}
