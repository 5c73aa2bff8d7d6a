/** The number that the network computes with: float, or double in the build that the tests of
 *  gradients use (-DGP_NN_DOUBLE, a library of its own). */
#ifndef GP_SRC_NN_REAL_H
#define GP_SRC_NN_REAL_H

#ifdef GP_NN_DOUBLE
typedef double gp_real;
#else
typedef float gp_real;
#endif

#endif
