/** Whether `--system` names a file of the user's rather than an id. */
export function isSystemFile(text: string): boolean {
  return /\.[mc]?[jt]s$/.test(text) || text.startsWith('.') || text.startsWith('/')
}
