// Rows of a table by number, as the gradients of embeddings have them: rows are few, numbers may repeat.

import { adagrad } from './adaptive'
import { sgd } from './update'

// Stops at a number that is no row of the table; returns how many it added.
export function addRows(values: usize, rows: usize, n: usize, width: usize, into: usize, numRows: u32): usize {
  const bytes = width << 2
  const whole = bytes & ~15
  const first = rows
  for (const last = rows + (n << 2); rows < last; rows += 4) {
    const row = load<u32>(rows)
    if (row >= numRows) break
    let to = into + (row as usize) * bytes
    const end = to + bytes
    for (const stop = to + whole; to < stop; to += 16, values += 16) v128.store(to, f32x4.add(v128.load(to), v128.load(values)))
    for (; to < end; to += 4, values += 4) store<f32>(to, load<f32>(to) + load<f32>(values))
  }
  return (rows - first) >> 2
}

// In place of memory.fill, whose call costs more than a row.
@inline
function clear(at: usize, bytes: usize): void {
  const end = at + bytes
  for (const stop = at + (bytes & ~15); at < stop; at += 16) v128.store(at, i32x4.splat(0))
  for (; at < end; at += 4) store<f32>(at, 0)
}

export function clearRows(rows: usize, n: usize, width: usize, into: usize): void {
  const bytes = width << 2
  for (const last = rows + (n << 2); rows < last; rows += 4) clear(into + (load<u32>(rows) as usize) * bytes, bytes)
}

// A row's gradient is zero once it was applied, and a rule leaves all as it is at zero: the second time changes nothing.

export function sgdRows(w: usize, g: usize, rows: usize, n: usize, width: usize, learningRate: f32): void {
  const bytes = width << 2
  for (const last = rows + (n << 2); rows < last; rows += 4) {
    const at = (load<u32>(rows) as usize) * bytes
    sgd(w + at, g + at, width, learningRate, 0)
    clear(g + at, bytes)
  }
}

export function adagradRows(w: usize, g: usize, a: usize, rows: usize, n: usize, width: usize, learningRate: f32, epsilon: f32): void {
  const bytes = width << 2
  for (const last = rows + (n << 2); rows < last; rows += 4) {
    const at = (load<u32>(rows) as usize) * bytes
    adagrad(w + at, g + at, a + at, width, learningRate, epsilon, 0)
    clear(g + at, bytes)
  }
}
