type Shown = string | number | undefined

/** The sentence of an error about input: `area: what failed — expected …, got … (how to mend)`. */
export function faultText(what: string, expected: Shown, got: Shown, mend: string): string {
  return `${what} — expected ${expected}, got ${got} (${mend})`
}
