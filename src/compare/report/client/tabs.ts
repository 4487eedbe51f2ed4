/**
 * One case at a time on the screen (print shows all). Tabs follow the arrow keys, links into a case open it, the address remembers it.
 * @param onOpen - Called when another case is seen.
 */
export function tabs(onOpen: () => void): void {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>('[data-tab]')]
  const panels = [...document.querySelectorAll<HTMLElement>('[data-case]')]
  if (buttons.length === 0) return
  const open = (index: number) => {
    buttons.forEach((button, i) => {
      button.setAttribute('aria-selected', String(i === index))
      button.tabIndex = i === index ? 0 : -1
    })
    panels.forEach((panel, i) => {
      panel.hidden = i !== index
    })
    onOpen()
  }
  buttons.forEach((button, i) => {
    button.addEventListener('click', () => open(i))
    button.addEventListener('keydown', (event) => {
      const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
      if (step === 0) return
      const next = (i + step + buttons.length) % buttons.length
      open(next)
      buttons[next]?.focus()
    })
  })
  for (const link of document.querySelectorAll<HTMLAnchorElement>('[data-open]')) {
    link.addEventListener('click', (event) => {
      event.preventDefault()
      open(Number(link.dataset.open))
      document.querySelector('#cases')?.scrollIntoView()
    })
  }
  const follow = (fallback: number | undefined) => {
    const wanted = Number(/^#case-(\d+)$/.exec(location.hash)?.[1] ?? Number.NaN)
    const index = panels[wanted] ? wanted : fallback
    if (index !== undefined) open(index)
  }
  window.addEventListener('hashchange', () => follow(undefined))
  follow(0)
}
