// Rows picked by number, widened to float32 and normalised.

@inline
function normalised(quad: v128, factor: v128, offset: v128): v128 {
  return f32x4.add(f32x4.mul(quad, factor), offset)
}

export function gatherBytes(source: usize, rows: usize, n: usize, width: usize, into: usize, scale: f32, shift: f32): void {
  const factor = f32x4.splat(scale)
  const offset = f32x4.splat(shift)
  const whole = width & ~15
  for (const last = rows + (n << 2); rows < last; rows += 4) {
    let from = source + (load<u32>(rows) as usize) * width
    const end = from + width
    for (const stop = from + whole; from < stop; from += 16, into += 64) {
      const bytes = v128.load(from)
      const low = i16x8.extend_low_i8x16_u(bytes)
      const high = i16x8.extend_high_i8x16_u(bytes)
      v128.store(into, normalised(f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(low)), factor, offset))
      v128.store(into, normalised(f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(low)), factor, offset), 16)
      v128.store(into, normalised(f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(high)), factor, offset), 32)
      v128.store(into, normalised(f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(high)), factor, offset), 48)
    }
    for (; from < end; from++, into += 4) store<f32>(into, (load<u8>(from) as f32) * scale + shift)
  }
}

export function gatherFloats(source: usize, rows: usize, n: usize, width: usize, into: usize, scale: f32, shift: f32): void {
  const factor = f32x4.splat(scale)
  const offset = f32x4.splat(shift)
  const whole = (width & ~3) << 2
  for (const last = rows + (n << 2); rows < last; rows += 4) {
    let from = source + (((load<u32>(rows) as usize) * width) << 2)
    const end = from + (width << 2)
    for (const stop = from + whole; from < stop; from += 16, into += 16) v128.store(into, normalised(v128.load(from), factor, offset))
    for (; from < end; from += 4, into += 4) store<f32>(into, load<f32>(from) * scale + shift)
  }
}

export function gatherWords(source: usize, rows: usize, n: usize, width: usize, into: usize): void {
  const bytes = width << 2
  for (const last = rows + (n << 2); rows < last; rows += 4, into += bytes) {
    const from = source + (load<u32>(rows) as usize) * bytes
    // Most often one word, a class number.
    if (width == 1) store<i32>(into, load<i32>(from))
    else memory.copy(into, from, bytes)
  }
}

export function gatherByteWords(source: usize, rows: usize, n: usize, width: usize, into: usize): void {
  for (const last = rows + (n << 2); rows < last; rows += 4) {
    let from = source + (load<u32>(rows) as usize) * width
    for (const end = from + width; from < end; from++, into += 4) store<i32>(into, load<u8>(from))
  }
}
