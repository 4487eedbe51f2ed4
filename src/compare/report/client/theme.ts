const themes = ['system', 'light', 'dark'] as const

/** The switch between the system's theme, light and dark; remembered where the browser allows it for files. */
export function theme(): void {
  const button = document.querySelector<HTMLButtonElement>('[data-theme-toggle]')
  if (!button) return
  let current = themes.find((name) => name === stored()) ?? 'system'
  const apply = () => {
    if (current === 'system') document.documentElement.removeAttribute('data-theme')
    else document.documentElement.dataset.theme = current
    button.textContent = `Theme: ${current}`
  }
  button.addEventListener('click', () => {
    current = themes[(themes.indexOf(current) + 1) % themes.length] as (typeof themes)[number]
    store(current)
    apply()
  })
  apply()
}

function stored(): string | null {
  try {
    return localStorage.getItem('tutti-theme')
  } catch {
    return null
  }
}

function store(name: string): void {
  try {
    localStorage.setItem('tutti-theme', name)
  } catch {
    // Some browsers refuse storage to pages opened from disk; the switch still works for this visit.
  }
}
