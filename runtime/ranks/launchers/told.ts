/** What is known of how a process was started. */

export type Launcher =
  | "Open MPI"
  | "MPICH"
  | "Slurm"
  | "torchrun"
  | "Kubeflow"
  | "Kubernetes"
  /** RANK and WORLD_SIZE, by accelerate or by hand. */
  | "environment";

export interface Launch {
  /** Null: nothing started this as one of several. */
  readonly launcher: Launcher | null;
  /** From 0. */
  readonly rank: number;
  /** Ranks in all; 1 where it is alone. */
  readonly size: number;
  /** Among the ranks of this host, from 0; null where the launcher does not say. */
  readonly localRank: number | null;
  /** Ranks on this host. */
  readonly localSize: number | null;
  /** Number of this host among the hosts, from 0. */
  readonly node: number | null;
  /** What the launcher calls this host. */
  readonly host: string | null;
  /** Where rank 0 can be reached. torchrun itself may listen on this port. */
  readonly address: { readonly host: string; readonly port: number } | null;
  /** What the launcher offers to an MPI library for finding the other ranks; null = nothing. */
  readonly wireUp: "pmi" | "pmix" | null;
  /** A sentence for a person who may have wanted something else, e.g. srun. */
  readonly note: string | null;
}

/** What a launcher says of a rank; the rest is not known. */
export type Told = Pick<Launch, "launcher" | "rank" | "size"> & Partial<Launch>;
