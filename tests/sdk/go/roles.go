package main

import (
	"net/http"

	"github.com/supertokens/supertokens-golang/recipe/session"
	"github.com/supertokens/supertokens-golang/recipe/session/claims"
	"github.com/supertokens/supertokens-golang/recipe/session/sessmodels"
	"github.com/supertokens/supertokens-golang/recipe/usermetadata"
	"github.com/supertokens/supertokens-golang/recipe/userroles"
	"github.com/supertokens/supertokens-golang/recipe/userroles/userrolesclaims"
	"github.com/supertokens/supertokens-golang/supertokens"
)

// roleRecipes are what the application has besides sessions when ROLES=true: sessions carry roles and permissions.
func roleRecipes() []supertokens.Recipe {
	return []supertokens.Recipe{userroles.Init(nil), usermetadata.Init(nil)}
}

// roleRoutes are what a user with a role does, and what the application's own code does about roles.
func roleRoutes(routes *http.ServeMux) {
	who := func(w http.ResponseWriter, r *http.Request) {
		answer(w, object{"userId": session.GetSessionFromRequestContext(r.Context()).GetUserID()})
	}
	admins := userrolesclaims.UserRoleClaimValidators.Includes("admin", nil, nil)
	routes.HandleFunc("GET /admins", session.VerifySession(requiring(admins), who))
	writers := userrolesclaims.PermissionClaimValidators.Includes("write", nil, nil)
	routes.HandleFunc("GET /writers", session.VerifySession(requiring(writers), who))
	routes.HandleFunc("POST /roles", verified(func(found sessmodels.SessionContainer, _ fields) (object, error) {
		if err := found.FetchAndSetClaim(userrolesclaims.UserRoleClaim); err != nil {
			return nil, err
		}
		if err := found.FetchAndSetClaim(userrolesclaims.PermissionClaim); err != nil {
			return nil, err
		}
		return object{"roles": found.GetClaimValue(userrolesclaims.UserRoleClaim)}, nil
	}))
	adminRoleRoutes(routes)
	assignmentRoutes(routes)
	metadataRoutes(routes)
}

func requiring(validator claims.SessionClaimValidator) *sessmodels.VerifySessionOptions {
	return &sessmodels.VerifySessionOptions{
		OverrideGlobalClaimValidators: func(
			others []claims.SessionClaimValidator, _ sessmodels.SessionContainer, _ supertokens.UserContext,
		) ([]claims.SessionClaimValidator, error) {
			return append(others, validator), nil
		},
	}
}

func adminRoleRoutes(routes *http.ServeMux) {
	routes.HandleFunc("POST /admin/role", plain(func(in fields) (object, error) {
		done, err := userroles.CreateNewRoleOrAddPermissions(in.Role, in.Permissions)
		if err != nil {
			return nil, err
		}
		return ok("createdNewRole", done.OK.CreatedNewRole), nil
	}))
	routes.HandleFunc("POST /admin/role/remove", plain(func(in fields) (object, error) {
		// Without a context the SDK panics.
		done, err := userroles.DeleteRole(in.Role, &map[string]any{})
		if err != nil {
			return nil, err
		}
		return ok("didRoleExist", done.OK.DidRoleExist), nil
	}))
	routes.HandleFunc("POST /admin/role/list", plain(func(fields) (object, error) {
		found, err := userroles.GetAllRoles()
		if err != nil {
			return nil, err
		}
		return ok("roles", list(found.OK.Roles)), nil
	}))
	routes.HandleFunc("POST /admin/role/users", plain(func(in fields) (object, error) {
		found, err := userroles.GetUsersThatHaveRole(in.tenant(), in.Role)
		if err != nil || found.OK == nil {
			return unknownRole, err
		}
		return ok("users", list(found.OK.Users)), nil
	}))
	routes.HandleFunc("POST /admin/role/permissions", plain(func(in fields) (object, error) {
		found, err := userroles.GetPermissionsForRole(in.Role)
		if err != nil || found.OK == nil {
			return unknownRole, err
		}
		return ok("permissions", list(found.OK.Permissions)), nil
	}))
	routes.HandleFunc("POST /admin/role/permissions/remove", plain(func(in fields) (object, error) {
		done, err := userroles.RemovePermissionsFromRole(in.Role, in.Permissions)
		if err != nil || done.OK == nil {
			return unknownRole, err
		}
		return object{"status": "OK"}, nil
	}))
	routes.HandleFunc("POST /admin/permission/roles", plain(func(in fields) (object, error) {
		found, err := userroles.GetRolesThatHavePermission(in.Permission)
		if err != nil {
			return nil, err
		}
		return ok("roles", list(found.OK.Roles)), nil
	}))
}

func assignmentRoutes(routes *http.ServeMux) {
	routes.HandleFunc("POST /admin/user/role", plain(func(in fields) (object, error) {
		done, err := userroles.AddRoleToUser(in.tenant(), in.UserID, in.Role)
		if err != nil || done.OK == nil {
			return unknownRole, err
		}
		return ok("didUserAlreadyHaveRole", done.OK.DidUserAlreadyHaveRole), nil
	}))
	routes.HandleFunc("POST /admin/user/role/remove", plain(func(in fields) (object, error) {
		done, err := userroles.RemoveUserRole(in.tenant(), in.UserID, in.Role)
		if err != nil || done.OK == nil {
			return unknownRole, err
		}
		return ok("didUserHaveRole", done.OK.DidUserHaveRole), nil
	}))
	routes.HandleFunc("POST /admin/user/roles", plain(func(in fields) (object, error) {
		found, err := userroles.GetRolesForUser(in.tenant(), in.UserID)
		if err != nil {
			return nil, err
		}
		return ok("roles", list(found.OK.Roles)), nil
	}))
}

func metadataRoutes(routes *http.ServeMux) {
	routes.HandleFunc("POST /admin/metadata", plain(func(in fields) (object, error) {
		found, err := usermetadata.GetUserMetadata(in.UserID)
		return ok("metadata", found), err
	}))
	routes.HandleFunc("POST /admin/metadata/update", plain(func(in fields) (object, error) {
		found, err := usermetadata.UpdateUserMetadata(in.UserID, in.Update)
		return ok("metadata", found), err
	}))
	routes.HandleFunc("POST /admin/metadata/clear", plain(func(in fields) (object, error) {
		return object{"status": "OK"}, usermetadata.ClearUserMetadata(in.UserID)
	}))
}

var unknownRole = object{"status": "UNKNOWN_ROLE_ERROR"}

func ok(member string, value any) object {
	return object{"status": "OK", member: value}
}
