// Original file: proto/inspect.proto


export interface VerifyRequest {
}

export interface VerifyRequest__Output {
}
