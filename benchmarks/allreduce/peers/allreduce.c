/*
 * The same calls from C: MPI_Allreduce of floats, in place, for each length given on the command line (length iterations, in pairs), with the
 * library in the state that the first argument names: "multiple" (MPI_THREAD_MULTIPLE, as ours) or "single" (plain MPI_Init).
 * Prints one line per length: length, microseconds per call (rank 0, median of batches). No header is needed:
 *   cc -O3 -o allreduce allreduce.c -l:libmpi.so.40
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern int MPI_Init(int *, char ***);
extern int MPI_Init_thread(int *, char ***, int, int *);
extern int MPI_Finalize(void);
extern int MPI_Comm_rank(void *, int *);
extern int MPI_Comm_dup(void *, void **);
extern int MPI_Barrier(void *);
extern int MPI_Allreduce(const void *, void *, int, void *, void *, void *);
extern char ompi_mpi_comm_world[], ompi_mpi_float[], ompi_mpi_op_sum[];

#define BATCHES 9
#define THREAD_MULTIPLE 3

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return d < 0 ? -1 : d > 0;
}

int main(int argc, char **argv) {
  void *comm;
  int rank, provided;
  if (argc > 1 && strcmp(argv[1], "multiple") == 0) MPI_Init_thread(&argc, &argv, THREAD_MULTIPLE, &provided);
  else MPI_Init(&argc, &argv);
  MPI_Comm_dup(ompi_mpi_comm_world, &comm);
  MPI_Comm_rank(comm, &rank);
  for (int a = 2; a + 1 < argc; a += 2) {
    int length = atoi(argv[a]), iterations = atoi(argv[a + 1]);
    float *data = aligned_alloc(64, ((size_t)length * sizeof(float) + 63) / 64 * 64);
    double times[BATCHES];
    for (int i = 0; i < length; i++) data[i] = 0;
    for (int i = 0; i < iterations; i++) MPI_Allreduce((void *)1, data, length, ompi_mpi_float, ompi_mpi_op_sum, comm);
    for (int batch = 0; batch < BATCHES; batch++) {
      MPI_Barrier(comm);
      double start = now();
      for (int i = 0; i < iterations; i++) MPI_Allreduce((void *)1, data, length, ompi_mpi_float, ompi_mpi_op_sum, comm);
      times[batch] = (now() - start) / iterations * 1e6;
    }
    qsort(times, BATCHES, sizeof(double), ascending);
    if (rank == 0) printf("%d %.4f\n", length, times[BATCHES / 2]);
    free(data);
  }
  MPI_Finalize();
  return 0;
}
