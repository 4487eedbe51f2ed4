/**
 * First and last place (exclusive) of a slice along an extent, counted from the front: ends below 0 count from the back, ends beyond the
 * extent are cut off.
 */
export function rangeOf(start: number, end: number, extent: number, step = 1): [number, number] {
  const fromFront = (place: number): number => (place < 0 ? place + extent : place)
  const between = (place: number, low: number, high: number): number => Math.min(Math.max(place, low), high)
  if (step > 0) return [between(fromFront(start), 0, extent), between(fromFront(end), 0, extent)]
  return [between(fromFront(start), 0, extent - 1), between(fromFront(end), -1, extent - 1)]
}
