export function wav(seconds: number): Buffer
