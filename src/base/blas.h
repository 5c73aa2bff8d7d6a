/** How many threads the linear algebra library uses for one call. */
#ifndef GP_SRC_BASE_BLAS_H
#define GP_SRC_BASE_BLAS_H

/** Sets it, for the process: 1 while threads of OpenMP call the library side by side. OpenBLAS's
 * pthread build goes by this number alone (it starts as all cores); libraries without it go by
 * OpenMP's own and need nothing said. Not while another thread is in the library. */
void gp_blas_threads(int threads);

#endif
