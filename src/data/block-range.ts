/** Block `[start, end)` of `rank` when `length` elements are cut over `size` ranks; the first `length mod size` ranks hold one more. */
export function blockRange(length: number, size: number, rank: number): { start: number; end: number } {
  const base = Math.floor(length / size)
  const extra = length % size
  const start = rank * base + Math.min(rank, extra)
  return { start, end: start + base + (rank < extra ? 1 : 0) }
}
