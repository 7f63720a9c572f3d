#ifndef USWEEP_CMATH_H
#define USWEEP_CMATH_H

// What the C library computes and Swift's own library does not have. Pure: a layer that knows no system may use it.

double math_log(double value);
double math_exp(double value);
double math_atan(double value);
double math_erfc(double value);

#endif
