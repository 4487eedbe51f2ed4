import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { frame, FrameReader } from '../launchers/frames.ts'
import type { UpMessage } from '../launchers/messages.ts'
import type { ProcessLink, Run } from '../launchers/run.ts'

/** A connection that has not shown the token may send no more than this. */
const helloBytes = 65_536
/** A process that has said nothing for this long is lost (its host is gone, or it is stopped). */
const silentMs = 30_000

/** Where control threads connect to: one connection for each process of the run. */
export class DriverServer {
  readonly token: string
  readonly #run: Run<unknown>
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #connected = 0

  private constructor(run: Run<unknown>, token: string, server: Server) {
    this.#run = run
    this.token = token
    this.#server = server
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
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    let link: ProcessLink | undefined
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
      reader = new FrameReader((message) => this.#run.receive(made, message as UpMessage))
      socket.setTimeout(silentMs)
      this.#run.attach(made)
      reader.push(rest)
    }, helloBytes)
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk)
      } catch {
        socket.destroy()
      }
    })
    socket.on('timeout', () => {
      if (link !== undefined) this.#run.gone(link, `no sign of life for ${silentMs / 1000} s`)
      socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#sockets.delete(socket)
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
