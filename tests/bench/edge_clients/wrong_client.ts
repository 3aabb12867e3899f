// This must not compile: the first line reads a member that no answer has, the second one asks a path that does not
// exist, and the third one leaves out what a body needs. If one of them compiles, the types say nothing.
import createClient from "openapi-fetch";
import type { paths } from "./gateway";

const gateway = createClient<paths, "application/json">({ baseUrl: "" });
export const member = (await gateway.GET("/v1/network")).data?.no_such_member;
export const path = await gateway.GET("/v1/no_such_path");
export const body = await gateway.POST("/v1/faucet", { body: {} });
