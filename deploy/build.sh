# deploy/demo, test, fuzz and build-cost source this file. It configures and builds a preset with as many jobs as the
# memory allows.

say() { printf '%s: %s\n' "${0##*/}" "$*"; }

# available_memory_mib: prints the free memory, but never more than the control group of this process allows.
available_memory_mib() {
  local free limit
  free=$(awk '/^MemAvailable:/ {print int($2 / 1024)}' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [[ $limit =~ ^[0-9]+$ ]] && ((limit / 1048576 < free)); then free=$((limit / 1048576)); fi
  echo "$free"
}

# build_jobs PRESET: prints the number of jobs. A source that includes libtorch takes about 1.5 GiB to compile, and with
# sanitizers about 2 GiB.
build_jobs() {
  local each=1600 jobs cores
  [[ $1 == release ]] || each=2200
  cores=$(nproc)
  jobs=$(($(available_memory_mib) / each))
  if ((jobs > cores)); then jobs=$cores; fi
  if ((jobs < 1)); then jobs=1; fi
  echo "$jobs"
}

# build PRESET [TARGET...]: configures the preset and builds these targets, or all targets.
build() {
  local preset=$1 jobs
  shift
  jobs=$(build_jobs "$preset")
  say "configuring build/$preset"
  cmake --preset "$preset" >"$(mkdir -p "build/$preset" && echo "build/$preset")/configure.log" 2>&1 ||
    { cat "build/$preset/configure.log" >&2; return 1; }
  say "building ${*:-everything} with $jobs jobs"
  if (($#)); then
    cmake --build --preset "$preset" --parallel "$jobs" --target "$@"
  else
    cmake --build --preset "$preset" --parallel "$jobs"
  fi
}
