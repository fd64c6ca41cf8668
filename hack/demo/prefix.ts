/** Begins the name of everything that the demo makes on the machine. */
export const DEMO_PREFIX = 'terway-demo'
