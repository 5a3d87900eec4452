// A small net/http application that keeps its sessions in sessiond through the official Go SDK.
// Settings come from the environment; tests/sdk/driver/app.py names them and the routes.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/MicahParks/keyfunc/v2"
	"github.com/golang-jwt/jwt/v5"
	"github.com/supertokens/supertokens-golang/recipe/multitenancy"
	"github.com/supertokens/supertokens-golang/recipe/multitenancy/multitenancymodels"
	"github.com/supertokens/supertokens-golang/recipe/session"
	"github.com/supertokens/supertokens-golang/recipe/session/sessmodels"
	"github.com/supertokens/supertokens-golang/recipe/thirdparty/tpmodels"
	"github.com/supertokens/supertokens-golang/supertokens"
)

type object = map[string]any

// fields is the body of every request; each route reads the members it knows.
type fields struct {
	UserID    string   `json:"userId"`
	TenantID  *string  `json:"tenantId"`
	Payload   object   `json:"payload"`
	Data      object   `json:"data"`
	Update    object   `json:"update"`
	Handle    *string  `json:"handle"`
	Handles   []string `json:"handles"`
	Validity  *uint64  `json:"validity"`
	UseStatic *bool    `json:"useStatic"`
	Jwt       string   `json:"jwt"`

	// With PEOPLE=true.
	Email           string            `json:"email"`
	OldPassword     string            `json:"oldPassword"`
	NewPassword     string            `json:"newPassword"`
	Role            string            `json:"role"`
	Permissions     []string          `json:"permissions"`
	NewestFirst     bool              `json:"newestFirst"`
	Limit           *int              `json:"limit"`
	PaginationToken *string           `json:"paginationToken"`
	Query           map[string]string `json:"query"`

	// Of a mapped id.
	ExternalUserID string                  `json:"externalUserId"`
	Force          *bool                   `json:"force"`
	Kind           *supertokens.UserIdType `json:"kind"`
	Note           *string                 `json:"note"`

	// With ROLES=true.
	Permission string `json:"permission"`

	// With WAYS=true.
	To           string                  `json:"to"`
	FirstFactors []string                `json:"firstFactors"`
	Config       tpmodels.ProviderConfig `json:"config"`
}

func (in fields) tenant() string {
	if in.TenantID == nil {
		return "public"
	}
	return *in.TenantID
}

func main() {
	origin := "http://localhost:" + os.Getenv("APP_PORT")
	antiCsrf := "NONE"
	if value := os.Getenv("ANTI_CSRF"); value != "" {
		antiCsrf = value
	}
	dynamicKeys := os.Getenv("STATIC_KEYS") != "true"
	telemetry := false
	people := os.Getenv("PEOPLE") == "true"
	sessions := &sessmodels.TypeInput{AntiCsrf: &antiCsrf, UseDynamicAccessTokenSigningKey: &dynamicKeys}
	if sites == "shared" {
		domain := ".shop.example"
		sessions.CookieDomain = &domain
	}
	recipes := []supertokens.Recipe{session.Init(sessions)}
	ways := os.Getenv("WAYS") == "true"
	if ways {
		recipes = append(recipes, wayRecipes()...)
	} else {
		recipes = append(recipes, multitenancy.Init(nil))
	}
	if people {
		recipes = append(recipes, peopleRecipes()...)
	}
	roles := os.Getenv("ROLES") == "true"
	if roles {
		recipes = append(recipes, roleRecipes()...)
	}
	err := supertokens.Init(supertokens.TypeInput{
		Supertokens: &supertokens.ConnectionInfo{
			ConnectionURI: os.Getenv("CORE_URI"),
			APIKey:        os.Getenv("CORE_API_KEY"),
		},
		AppInfo:    supertokens.AppInfo{AppName: "go app", APIDomain: origin, WebsiteDomain: origin},
		Telemetry:  &telemetry,
		RecipeList: recipes,
	})
	if err != nil {
		log.Fatal(err)
	}

	routes := http.NewServeMux()
	routes.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	userRoutes(routes)
	adminRoutes(routes)
	if people {
		peopleRoutes(routes)
		peopleAdminRoutes(routes)
	}
	if roles {
		roleRoutes(routes)
	}
	if ways {
		wayRoutes(routes)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("APP_PORT"), tenantOfAddress(supertokens.Middleware(routes))))
}

// userRoutes are what a user does.
func userRoutes(routes *http.ServeMux) {
	routes.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		in := read(r)
		created, err := session.CreateNewSession(r, w, in.tenant(), in.UserID, in.Payload, in.Data)
		if err != nil {
			fail(w, r, err)
			return
		}
		answer(w, describe(created))
	})
	me := func(w http.ResponseWriter, r *http.Request) {
		answer(w, describe(session.GetSessionFromRequestContext(r.Context())))
	}
	checked := true
	inDatabase := &sessmodels.VerifySessionOptions{CheckDatabase: &checked}
	routes.HandleFunc("/me", session.VerifySession(nil, me))
	routes.HandleFunc("/me-checked", session.VerifySession(inDatabase, me))
	routes.HandleFunc("POST /payload", verified(func(found sessmodels.SessionContainer, in fields) (object, error) {
		err := found.MergeIntoAccessTokenPayload(in.Update)
		return describe(found), err
	}))
	routes.HandleFunc("GET /data", verified(func(found sessmodels.SessionContainer, _ fields) (object, error) {
		data, err := found.GetSessionDataInDatabase()
		return object{"data": data}, err
	}))
	routes.HandleFunc("POST /data", verified(func(found sessmodels.SessionContainer, in fields) (object, error) {
		return object{}, found.UpdateSessionDataInDatabase(in.Data)
	}))
	routes.HandleFunc("POST /logout", verified(func(found sessmodels.SessionContainer, _ fields) (object, error) {
		return object{}, found.RevokeSession()
	}))
}

// adminRoutes are what the application's own code does, without a session.
func adminRoutes(routes *http.ServeMux) {
	routes.HandleFunc("POST /admin/info", plain(func(in fields) (object, error) {
		info, err := session.GetSessionInformation(*in.Handle)
		if err != nil || info == nil {
			return object{"found": false}, err
		}
		return object{
			"found": true, "userId": info.UserId, "tenantId": info.TenantId, "expiry": info.Expiry,
			"timeCreated": info.TimeCreated, "data": info.SessionDataInDatabase,
			"payload": info.CustomClaimsInAccessTokenPayload,
		}, nil
	}))
	routes.HandleFunc("POST /admin/payload", plain(func(in fields) (object, error) {
		done, err := session.MergeIntoAccessTokenPayload(*in.Handle, in.Update)
		return object{"done": done}, err
	}))
	routes.HandleFunc("POST /admin/data", plain(func(in fields) (object, error) {
		done, err := session.UpdateSessionDataInDatabase(*in.Handle, in.Data)
		return object{"done": done}, err
	}))
	routes.HandleFunc("POST /admin/sessions", plain(func(in fields) (object, error) {
		handles, err := session.GetAllSessionHandlesForUser(in.UserID, in.TenantID)
		return object{"handles": list(handles)}, err
	}))
	routes.HandleFunc("POST /admin/revoke", plain(revoke))
	routes.HandleFunc("POST /admin/tenant", plain(func(in fields) (object, error) {
		done, err := multitenancy.CreateOrUpdateTenant(*in.TenantID, multitenancymodels.TenantConfig{})
		if err != nil {
			return nil, err
		}
		return object{"createdNew": done.OK.CreatedNew}, nil
	}))
	routes.HandleFunc("POST /admin/tenant/get", plain(func(in fields) (object, error) {
		tenant, err := multitenancy.GetTenant(*in.TenantID)
		return object{"found": tenant != nil}, err
	}))
	routes.HandleFunc("POST /admin/tenant/list", plain(func(fields) (object, error) {
		found, err := multitenancy.ListAllTenants()
		if err != nil {
			return nil, err
		}
		names := []string{}
		for _, tenant := range found.OK.Tenants {
			names = append(names, tenant.TenantId)
		}
		return object{"tenants": names}, nil
	}))
	routes.HandleFunc("POST /admin/tenant/remove", plain(func(in fields) (object, error) {
		done, err := multitenancy.DeleteTenant(*in.TenantID)
		if err != nil {
			return nil, err
		}
		return object{"didExist": done.OK.DidExist}, nil
	}))
	routes.HandleFunc("POST /admin/jwt", plain(func(in fields) (object, error) {
		made, err := session.CreateJWT(in.Payload, in.Validity, in.UseStatic)
		if err != nil {
			return nil, err
		}
		if made.OK == nil {
			return object{"status": "UNSUPPORTED_ALGORITHM_ERROR"}, nil
		}
		return object{"status": "OK", "jwt": made.OK.Jwt}, nil
	}))
	routes.HandleFunc("POST /admin/jwt/verify", plain(verifyAsAnotherService))
	routes.HandleFunc("POST /admin/jwks", plain(func(fields) (out object, err error) {
		defer func() { // the SDK panics on unknown keys
			if reason := recover(); reason != nil {
				err = fmt.Errorf("panic in the SDK: %v", reason)
			}
		}()
		found, err := session.GetJWKS()
		if err != nil {
			return nil, err
		}
		return object{"keys": found.OK.Keys}, nil
	}))
}

func revoke(in fields) (object, error) {
	switch {
	case in.Handle != nil:
		done, err := session.RevokeSession(*in.Handle)
		return object{"done": done}, err
	case in.Handles != nil:
		gone, err := session.RevokeMultipleSessions(in.Handles)
		return object{"handles": list(gone)}, err
	default:
		gone, err := session.RevokeAllSessionsForUser(in.UserID, in.TenantID)
		return object{"handles": list(gone)}, err
	}
}

// verifyAsAnotherService knows only the key document's address.
func verifyAsAnotherService(in fields) (object, error) {
	keys, err := keyfunc.Get(os.Getenv("CORE_URI")+"/.well-known/jwks.json", keyfunc.Options{})
	if err != nil {
		return nil, err
	}
	token, err := jwt.Parse(in.Jwt, keys.Keyfunc)
	if err != nil || !token.Valid {
		return object{"valid": false, "reason": fmt.Sprint(err)}, nil
	}
	return object{"valid": true, "payload": token.Claims, "header": token.Header}, nil
}

func describe(found sessmodels.SessionContainer) object {
	return object{
		"handle": found.GetHandle(), "userId": found.GetUserID(), "tenantId": found.GetTenantId(),
		"payload": found.GetAccessTokenPayload(),
	}
}

// verified is a route that needs a session.
func verified(act func(sessmodels.SessionContainer, fields) (object, error)) http.HandlerFunc {
	return session.VerifySession(nil, func(w http.ResponseWriter, r *http.Request) {
		out, err := act(session.GetSessionFromRequestContext(r.Context()), read(r))
		if err != nil {
			fail(w, r, err)
			return
		}
		answer(w, out)
	})
}

// plain is a route without a session.
func plain(act func(fields) (object, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out, err := act(read(r))
		if err != nil {
			fail(w, r, err)
			return
		}
		answer(w, out)
	}
}

func read(r *http.Request) fields {
	var in fields
	_ = json.NewDecoder(r.Body).Decode(&in) // an empty body is an empty request
	return in
}

func answer(w http.ResponseWriter, body object) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// fail lets the SDK answer its own errors (401, 403) and makes 500 of the others.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	left := supertokens.ErrorHandler(err, r, w)
	if left == nil {
		return
	}
	w.WriteHeader(http.StatusInternalServerError)
	answer(w, object{"error": left.Error()})
}

func list(items []string) []string {
	if items == nil {
		return []string{}
	}
	return items
}
