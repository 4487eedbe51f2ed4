/**
 * The name that was probably meant: Damerau–Levenshtein distance in its restricted form (insert, delete, replace, swap neighbours; no
 * part is edited twice).
 * @see Damerau, A technique for computer detection and correction of spelling errors, CACM 7(3), 1964
 */
export function editDistance(a: string, b: string): number {
  // Rows i−2, i−1 and i of the table d[i][j] = distance between the first i letters of a and the first j of b.
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) best = Math.min(best, beforeLast[j - 2]! + 1)
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}

/**
 * The one of `names` that is closest to what was typed, or undefined when none is close: at most a third of the letters may differ (at
 * least one), or one is the beginning of the other. Upper and lower case count as equal; the first of several equally close names wins.
 */
export function nearestName(typed: string, names: Iterable<string>): string | undefined {
  const wanted = typed.toLowerCase()
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const name of names) {
    const candidate = name.toLowerCase()
    const isBeginning = wanted.length >= 2 && (candidate.startsWith(wanted) || wanted.startsWith(candidate)) && candidate.length >= 2
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3))
    const distance = editDistance(wanted, candidate)
    // A beginning counts as close, but a real near-miss comes first.
    const rank = distance <= allowed ? distance : isBeginning ? allowed + 1 : Number.POSITIVE_INFINITY
    if (rank < bestDistance) {
      best = name
      bestDistance = rank
    }
  }
  return best
}

/** ` — did you mean bsp?` or nothing: the tail of a message about an unknown name. */
export function didYouMean(typed: string, names: Iterable<string>): string {
  const nearest = nearestName(typed, names)
  return nearest === undefined ? '' : ` — did you mean ${nearest}?`
}
