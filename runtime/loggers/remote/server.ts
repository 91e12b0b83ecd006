/** What a server that shows runs must do; each kind of server is one file beside this one. */

/** Numbers of one moment of a run. */
export interface Row {
  readonly step: number;
  /** Milliseconds since 1970, as the log tells them: the same however often and late they are sent. */
  readonly timeMs: number;
  readonly metrics: ReadonlyMap<string, number>;
}

/** What is told of a run when it begins. */
export interface RunFacts {
  readonly name: string;
  readonly startedMs: number;
  /** Constants of the experiment by path. */
  readonly constants: ReadonlyMap<string, string>;
}

export interface Server {
  /** For people. */
  readonly title: string;
  readonly address: string;
  /** Begins the run there; gives what the server calls it. */
  begin(run: RunFacts): Promise<string>;
  /** Known before: the run goes on. */
  goOn(id: string): Promise<void>;
  send(id: string, rows: readonly Row[]): Promise<void>;
  /** `reason` as an end event has it. */
  end(id: string, reason: string, timeMs: number): Promise<void>;
}

/** What a server is opened with. Tokens come from the variables alone, and go into headers alone. */
export interface ServerOptions {
  readonly address: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Breaks off what is under way. */
  readonly signal: AbortSignal;
}
