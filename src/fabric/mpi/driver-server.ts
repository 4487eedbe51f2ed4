import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { frame, FrameReader } from '../launchers/frames.ts'
import type { UpMessage } from '../launchers/messages.ts'
import type { ProcessLink, Run } from '../launchers/run.ts'

/** A connection that has not shown the token may send no more than this. */
const helloBytes = 65_536
/** All processes must have connected within this time, in ms. */
const startMs = 90_000
/** A process that has said nothing for this long is lost (its host is gone, or it is stopped), once it has its data: reading them may block it. */
const silentMs = 30_000
/** Between two signs of life to each process, in ms. */
export const aliveEveryMs = 5000
/** Silence is believed after a second look, in ms. */
const secondLookMs = 1000

/** Where control threads connect to: one connection for each process of the run. */
export class DriverServer {
  readonly token: string
  readonly #run: Run<unknown>
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #late: NodeJS.Timeout
  readonly #alive: NodeJS.Timeout
  readonly #links = new Set<ProcessLink>()
  #connected = 0

  private constructor(run: Run<unknown>, token: string, server: Server) {
    this.#run = run
    this.token = token
    this.#server = server
    this.#late = setTimeout(() => this.#notStarted(), startMs)
    this.#alive = setInterval(() => {
      for (const link of this.#links) link.send({ type: 'alive' })
    }, aliveEveryMs)
    server.on('connection', (socket) => this.#accept(socket))
  }

  /** @param everywhere - Listen on all addresses, for ranks on other hosts; otherwise on the loopback only. */
  static async open(run: Run<unknown>, token: string, everywhere: boolean): Promise<DriverServer> {
    const server = createServer()
    const driver = new DriverServer(run, token, server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, everywhere ? '0.0.0.0' : '127.0.0.1', resolve)
    })
    return driver
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Processes that have connected so far. */
  get connected(): number {
    return this.#connected
  }

  close(): void {
    clearTimeout(this.#late)
    clearInterval(this.#alive)
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #notStarted(): void {
    const ranks = this.#run.unattached
    if (ranks.length === 0) return
    this.#run.fail({
      code: 'COLLECTIVE_TIMEOUT',
      message: `launch: rank${ranks.length > 1 ? 's' : ''} ${ranks.join(', ')} did not start — expected a connection within ${startMs / 1000} s, got none (are the hosts reachable, is the port open?)`,
      details: { ranks },
    })
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, silentMs)
    let link: ProcessLink | undefined
    let doubted = false
    let reader = new FrameReader((value) => {
      const hello = value as UpMessage
      const rest = reader.stop()
      if (hello.type !== 'hello' || !sameToken(hello.token, this.token)) {
        socket.destroy()
        return
      }
      this.#connected++
      const made: ProcessLink = { ranks: hello.ranks, send: (message) => void socket.write(frame(message)) }
      link = made
      this.#links.add(made)
      reader = new FrameReader((value) => {
        const message = value as UpMessage
        if (message.type === 'prepared') socket.setTimeout(silentMs)
        this.#run.receive(made, message)
      })
      this.#run.attach(made)
      reader.push(rest)
    }, helloBytes)
    socket.on('data', (chunk: Buffer) => {
      if (doubted) socket.setTimeout(silentMs)
      doubted = false
      try {
        reader.push(chunk)
      } catch {
        socket.destroy()
      }
    })
    socket.on('timeout', () => {
      if (!doubted) {
        // It may be this process that was stopped (Ctrl-Z): what has come meanwhile is read first.
        doubted = true
        socket.setTimeout(secondLookMs)
        return
      }
      if (link !== undefined) this.#run.gone(link, `no sign of life for ${silentMs / 1000} s`)
      socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#sockets.delete(socket)
      if (link !== undefined) this.#links.delete(link)
      if (link !== undefined) this.#run.gone(link, 'its process ended')
    })
  }
}

function sameToken(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/** Addresses at which ranks of other hosts can reach this one; the loopback last, for those on this host. */
export function ownAddresses(everywhere: boolean): string[] {
  if (!everywhere) return ['127.0.0.1']
  const outside = Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? []).filter((each) => each.family === 'IPv4' && !each.internal),
  )
  return [...outside.map((each) => each.address), '127.0.0.1']
}
