/**
 * HTML from templates: everything that is interpolated is escaped, except what another template produced. What comes from a record can
 * therefore never become markup; a record's JSON cannot imitate {@link Markup}, because that is a class.
 * @packageDocumentation
 */

/** Markup that may be inserted as it is. Only templates make it. */
export class Markup {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

type Insert = Markup | string | number | undefined | false | readonly Insert[]

/** Builds markup; strings and numbers are escaped, lists are joined, `undefined` and `false` vanish. */
export function html(strings: TemplateStringsArray, ...values: readonly Insert[]): Markup {
  let text = strings[0] ?? ''
  for (let i = 0; i < values.length; i++) text += insert(values[i]) + (strings[i + 1] ?? '')
  return new Markup(text)
}

function insert(value: Insert): string {
  if (value === undefined || value === false) return ''
  if (value instanceof Markup) return value.toString()
  if (Array.isArray(value)) return value.map(insert).join('')
  return escapeHtml(String(value))
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text for element content and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] as string)
}

/** JSON that may stand in a `<script type="application/json">`: no `<` can end the element or open a comment. */
export function inlineJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
