// The tables of the ziggurat of 256 steps: the abscissas, down to edge[256] = 0, and the densities
// exp(-x * x / 2) at them. They are part of arithmetic §6.5.
#pragma once

namespace soma::noise::ziggurat {
extern const double edge[257];
extern const double density[257];
}  // namespace soma::noise::ziggurat
