/**
 * What differs between MPI libraries below the same function names: Open MPI's handles are addresses of variables,
 * those of MPICH and of all who keep to its binary interface (Intel MPI, MVAPICH, Cray) are numbers of mpi.h.
 */
import type { Library, Pointer } from "../../engines/koffi";

export type AbiName = "Open MPI" | "MPICH";

export interface Abi {
  readonly name: AbiName;
  /** The C type of a handle. */
  readonly handle: "void *" | "int";
  readonly inPlace: Pointer;
  readonly world: Pointer | number;
  readonly float: Pointer | number;
  readonly byte: Pointer | number;
  readonly sum: Pointer | number;
  readonly errorsReturn: Pointer | number;
}

/** Null where the library's handles are none of the two. `version` is that of MPI_Get_library_version. */
export function abiOf(library: Library, version: string): Abi | null {
  if (/^Open MPI/.test(version)) {
    return {
      name: "Open MPI",
      handle: "void *",
      inPlace: 1n,
      world: library.symbol("ompi_mpi_comm_world"),
      float: library.symbol("ompi_mpi_float"),
      byte: library.symbol("ompi_mpi_byte"),
      sum: library.symbol("ompi_mpi_op_sum"),
      errorsReturn: library.symbol("ompi_mpi_errors_return"),
    };
  }
  if (!/MPICH|Intel\(R\) MPI|MVAPICH|CRAY/i.test(version)) return null;
  return {
    name: "MPICH",
    handle: "int",
    inPlace: 0xffff_ffff_ffff_ffffn,
    world: 0x44000000,
    float: 0x4c00040a,
    byte: 0x4c00010d,
    sum: 0x58000003,
    errorsReturn: 0x54000001,
  };
}
