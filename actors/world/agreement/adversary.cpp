#include "actors/world/agreement/adversary.hpp"

namespace soma::agreement_world {

adversary::adversary(engine& w) : w_(w), dice_(w.what.seed, 4) {}

void adversary::hear(const message_ptr&) {}
void adversary::send(node& n, slot_set to, const message_ptr& what) {
  if (n.does(behaviour::silent)) {
    ++w_.counts[counted::silenced];
    return;
  }
  w_.broadcast(n, to, what);
}
void adversary::act(node&) {}

}  // namespace soma::agreement_world
