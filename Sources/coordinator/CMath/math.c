#include "cmath.h"

#include <math.h>

double math_log(double value) { return log(value); }

double math_exp(double value) { return exp(value); }

double math_atan(double value) { return atan(value); }

double math_erfc(double value) { return erfc(value); }
