/** mpirun of Open MPI, MPICH and Intel MPI, and others that speak PMI. */
import type { Told } from "./told";
import { countOf, has, localPlaceOf, placeOf, textOf, type Variables } from "./variables";

/** Versions 4 and 5. OMPI_COMM_WORLD_NODE_RANK is a rank within the host, not the number of the host. */
export function openMpi(variables: Variables): Told | null {
  if (!has(variables, "OMPI_COMM_WORLD_RANK") && !has(variables, "OMPI_COMM_WORLD_SIZE")) return null;
  return {
    launcher: "Open MPI",
    ...placeOf(variables, {
      rank: "OMPI_COMM_WORLD_RANK",
      size: "OMPI_COMM_WORLD_SIZE",
      launcher: "mpirun of Open MPI",
    }),
    ...localPlaceOf(variables, { rank: "OMPI_COMM_WORLD_LOCAL_RANK", size: "OMPI_COMM_WORLD_LOCAL_SIZE" }),
    host: textOf(variables, "PMIX_HOSTNAME"),
    wireUp: "pmix",
  };
}

/** mpirun of MPICH and Intel MPI. */
export function hydra(variables: Variables): Told | null {
  if (!has(variables, "MPI_LOCALRANKID") && !has(variables, "MPI_LOCALNRANKS")) return null;
  return {
    launcher: "MPICH",
    ...placeOf(variables, { rank: "PMI_RANK", size: "PMI_SIZE", launcher: "mpirun of MPICH" }),
    ...localPlaceOf(variables, { rank: "MPI_LOCALRANKID", size: "MPI_LOCALNRANKS" }),
    host: textOf(variables, "MPIR_CVAR_CH3_INTERFACE_HOSTNAME"),
    wireUp: "pmi",
  };
}

/** Another process manager that speaks PMI, e.g. on a Cray. */
export function pmi(variables: Variables): Told | null {
  if (!has(variables, "PMI_RANK") && !has(variables, "PMI_SIZE")) return null;
  return {
    launcher: "MPICH",
    ...placeOf(variables, { rank: "PMI_RANK", size: "PMI_SIZE", launcher: "a process manager with PMI" }),
    localRank: countOf(variables, "PMI_LOCAL_RANK", 0),
    localSize: countOf(variables, "PMI_LOCAL_SIZE", 1),
    wireUp: "pmi",
  };
}
