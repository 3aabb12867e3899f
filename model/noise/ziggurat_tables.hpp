// Tables of the 256-step ziggurat: abscissas (edge[256] = 0) and exp(-x*x/2) at them.
#pragma once

namespace soma::model::ziggurat {
extern const double edge[257];
extern const double density[257];
}  // namespace soma::model::ziggurat
