/**
 * What a member's Node is started with. Most of what a member allocates is garbage within a millisecond; a young generation of
 * this size lets it die there, which costs nothing, instead of in collections of the whole heap every second, which cost a tenth
 * of all the work. It is an option of the command line only: `NODE_OPTIONS` does not take it.
 */
export const MEMBER_NODE_FLAGS: readonly string[] = ["--min-semi-space-size=16", "--max-semi-space-size=32"];
