// Images moved and mirrored in place: what the frame leaves is filled.

// moves: mirrored (0 or 1), rows down, columns right, of each image; scratch: one plane.
export function flipShift(images: usize, n: usize, channels: usize, height: i32, width: i32, moves: usize, fill: f32, scratch: usize): void {
  const rowBytes = (width as usize) << 2
  const planeBytes = rowBytes * (height as usize)
  for (let image: usize = 0; image < n; image++, moves += 12) {
    const mirrored = load<i32>(moves) != 0
    const down = load<i32>(moves, 4)
    const right = load<i32>(moves, 8)
    if (!mirrored && down == 0 && right == 0) {
      images += planeBytes * channels
      continue
    }
    for (let channel: usize = 0; channel < channels; channel++, images += planeBytes) {
      memory.copy(scratch, images, planeBytes)
      for (let y = 0; y < height; y++) {
        const into = images + (y as usize) * rowBytes
        const from = y - down
        for (let x = 0; x < width; x++) {
          const column = x - right
          const isInside = from >= 0 && from < height && column >= 0 && column < width
          const source = mirrored ? width - 1 - column : column
          const value = isInside ? load<f32>(scratch + (from as usize) * rowBytes + ((source as usize) << 2)) : fill
          store<f32>(into + ((x as usize) << 2), value)
        }
      }
    }
  }
}
