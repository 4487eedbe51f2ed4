/** Says on every frame of a table on which sides there is more of it than is seen: the style sheet draws a shadow there. */
export function scrollCues(): () => void {
  const frames = [...document.querySelectorAll<HTMLElement>('.frame')]
  const update = (frame: HTMLElement) => {
    const box = frame.querySelector('.scroll')
    if (!box) return
    const more = [
      ...(box.scrollWidth - box.clientWidth - box.scrollLeft > 2 ? ['right'] : []),
      ...(box.scrollHeight - box.clientHeight - box.scrollTop > 2 ? ['below'] : []),
    ]
    frame.dataset['more'] = more.join(' ')
  }
  for (const frame of frames) frame.querySelector('.scroll')?.addEventListener('scroll', () => update(frame), { passive: true })
  return () => {
    for (const frame of frames) update(frame)
  }
}
