// The link test of a library: the linker has done the work by the time this runs.
int main() {
  return 0;
}
